"""From a waveform and a checkpoint to a prediction, and its evaluation."""
