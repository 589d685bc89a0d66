"""What a run leaves behind: for a person, for a table, for a program."""
