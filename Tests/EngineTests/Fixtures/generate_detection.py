#!/usr/bin/env python3
"""ln I_nu(z) by scipy (ive with e^z put back), checked with mpmath where scipy underflows: writes detection.json beside itself."""
import json, math, pathlib
import mpmath
from scipy.special import ive

mpmath.mp.dps = 40
rows = []
for nu in (-0.5, 0, 0.5, 1, 1.5, 3.5, 4, 9, 12.5, 24.5, 60, 124.5):
    for z in (1e-3, 0.1, 0.7, 2, 5, 11, 29, 47, 99, 101, 180, 333, 700, 2e3, 9e3, 7e4, 1e6):
        scaled = float(ive(nu, z))
        exact = float(mpmath.log(mpmath.besseli(nu, z))) if z < 1e4 or scaled == 0 else math.log(scaled) + z
        if scaled > 0:
            assert abs(math.log(scaled) + z - exact) < 1e-11 * max(1, abs(exact)), (nu, z)
        rows.append([nu, z, exact])
path = pathlib.Path(__file__).with_name("detection.json")
path.write_text(json.dumps({"log_bessel": rows}))
