"""Reading and writing what is learned from: labelled documents and bitext."""
