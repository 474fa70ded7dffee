#!/bin/sh
# make bench: the table on standard output, the plot below $BUILD.
exec "$BUILD/exitcost" --plot "$BUILD/04-devices/exitcost.svg"
