"""Fine-tune a student on labels of your own."""
