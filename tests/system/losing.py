"""A gateway that loses a message on purpose: the real command, with one link of the path sabotaged.

`LOSE` names the payload that is lost between the session and the batch, where no error tells of it.
"""

import os
import sys

from dashboard.cli.main import main
from gateway.link.contract import Delivery
from gateway.pipeline import Pipeline

_deliver = Pipeline.deliver


def _lose(self: Pipeline, delivery: Delivery) -> None:
    if os.environ["LOSE"].encode() in delivery.packet.payload and not delivery.packet.dup:
        return
    _deliver(self, delivery)


if __name__ == "__main__":
    Pipeline.deliver = _lose  # type: ignore[method-assign]
    sys.exit(main())
