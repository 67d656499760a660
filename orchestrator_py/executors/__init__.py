"""Where the commands of stages run, when that is not this machine."""
