"""Tools that build the book: notebooks kept normal, executed once, and rendered with their claims."""
