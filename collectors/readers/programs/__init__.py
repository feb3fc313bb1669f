"""Programs: what their builders wrote into them, told by ELF, PE and Mach-O. Nothing is run."""
