"""From the master notebooks to marks: student notebooks out, submissions in."""
