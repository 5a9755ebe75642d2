"""ONNX files: the file is read as data, and its nodes become calls of the operators of ATen."""
