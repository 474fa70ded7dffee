#!/bin/sh
# make bench: the table on standard output, the plot below $BUILD.
exec "$BUILD/tlb" --plot "$BUILD/03-paging-ept/tlb.svg"
