"""Convert torch models to verified ONNX bundles."""
