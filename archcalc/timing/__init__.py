"""How long a network takes on a device."""
