"""A long run of the example hall at many times its traffic, with faults at random, and a judgement at the end."""
