; prober32.asm: the prober in 32-bit protected mode, with or without PAE; see prober.inc.
%define WIDTH 32
%include "prober.inc"
