"""Results → what a person or a program reads. Pure: nothing is printed here."""
