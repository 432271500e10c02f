"""Whether a series wanders off for good: the two tests that take each other's null hypothesis.

The only importer of statsmodels, and only when asked: its import takes longer than most analyses.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray


def adf_p(values: NDArray[np.float64]) -> float:
    """How likely such a series is if it has a unit root: small means it does not wander.

    Args:
        values: at equal steps, not all the same. Shape (n,), n ≥ 20.

    Source:
        D. A. Dickey, W. A. Fuller, JASA 74, 1979, augmented; lags by Akaike's criterion; p by J. G.
        MacKinnon, Journal of Business & Economic Statistics 12, 1994.
    """
    from statsmodels.tsa.stattools import adfuller  # noqa: PLC0415 - see above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 0.16 will return a record, which _p reads too
        return _p(adfuller(values, autolag="AIC"))


def kpss_p(values: NDArray[np.float64]) -> float:
    """How likely such a series is if it is stationary: small means it wanders. 0.01 to 0.1.

    Args:
        values: as above.

    Source:
        D. Kwiatkowski, P. C. B. Phillips, P. Schmidt, Y. Shin, Journal of Econometrics 54, 1992;
        bandwidth by B. Hobijn, P. H. Franses, M. Ooms, Statistica Neerlandica 58, 2004.
    """
    from statsmodels.tsa.stattools import kpss  # noqa: PLC0415 - see above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that p lies beyond its table, whose ends it then is
        return _p(kpss(values, regression="c", nlags="auto"))


def _p(found: Any) -> float:  # noqa: ANN401 - a tuple, or from statsmodels 0.16 on a record
    return float(found.pvalue if hasattr(found, "pvalue") else found[1])
