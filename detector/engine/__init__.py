"""How facts are judged: views, pairing, rules, clocks, causes, life, score. Pure: `now` is a parameter."""
