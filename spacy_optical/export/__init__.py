"""From a torch student to a verified ONNX bundle."""
