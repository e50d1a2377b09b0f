"""What goes wrong with files, by format: kinds of mutations by name, each changes a good file in place."""
