"""What a class handed in: found in folders and zips, and read as notebooks of any kind."""
