; exitcost-qemu.asm: exitcost.asm as a kernel that QEMU's -kernel starts.
%define MULTIBOOT
%include "exitcost.asm"
