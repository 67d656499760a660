"""Programs of ours that are measured: those that embed a library, and the floors."""
