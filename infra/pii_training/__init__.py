"""Makes the token classifier that ships: own synthetic texts and open corpora, training, int8 ONNX, evaluation."""
