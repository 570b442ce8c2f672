"""Learning: the teacher, the student, and what passes between them."""
