"""Where what a class hands in is run: it sees nothing but the course's tools, and can do no harm."""
