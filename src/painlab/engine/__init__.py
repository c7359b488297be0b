"""From one patient's week to a cohort's sums; users enter through `painlab.simulate`."""
