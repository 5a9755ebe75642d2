"""Published figures on trial: read (``figures``), computed anew (``quantities``, ``formula``), judged (``verdict``)."""
