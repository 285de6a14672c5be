"""How long each notebook took when it was last executed, as a table of the book."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from stablenets.book import outputs


class TimesDirective(SphinxDirective):
    """``{execution-times}``: seconds of every notebook whose outputs this build shows."""

    def run(self) -> list[nodes.Node]:
        seconds = outputs.seconds(Path(self.env.srcdir))
        lines = [f"| {{doc}}`/{name.with_suffix('')}` | {value:.1f} |" for name, value in seconds.items()]
        total = f"| all together | {sum(seconds.values()):.1f} |"
        # Another build may show other outputs.
        self.env.note_reread()
        return self.parse_text_to_nodes("\n".join(["| Notebook | Seconds |", "|---|---:|", *lines, total]))
