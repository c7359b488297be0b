"""Parameter sets that the trials marked calibrate allow; users enter through `painlab.calibration.run.calibrate` or `painlab calibrate`."""
