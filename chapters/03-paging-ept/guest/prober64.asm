; prober64.asm: the prober in 64-bit mode; see prober.inc.
%define WIDTH 64
%include "prober.inc"
