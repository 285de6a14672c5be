"""What is read after grading: gradebooks, the overview, the sheet of open questions, a page for each student."""
