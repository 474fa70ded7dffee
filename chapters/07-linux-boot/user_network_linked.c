/* user_network_linked.c: see user_network.h. This program has the library. */
#include "07-linux-boot/user_network.h"

void user_network_needed(char **argv)
{
    (void)argv;
}
