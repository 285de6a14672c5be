"""The command ``stablenets``: hand out notebooks, check one before handing it in, grade a class, report."""

import click

from stablenets.grading.commands.grade import grade
from stablenets.grading.commands.report import report
from stablenets.grading.commands.student import student, validate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="stablenets", prog_name="stablenets")
def main() -> None:
    """Grade the exercises of Stable Nets.

    \b
    An instructor's way, from a clone of the course:
      stablenets student --out notebooks        notebooks to hand out
      stablenets grade handed-in --out results  a folder, or the zip that Canvas or Moodle exports
      stablenets report results                 gradebooks, overview, feedback for each student

    \b
    A student's way:
      stablenets validate my-notebook.ipynb     what a grader would say, before handing in
    """


for command in (student, validate, grade, report):
    main.add_command(command)
