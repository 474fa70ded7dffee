/*
 * user_network.h: two programs of the same sources, vmm and vmm-slirp.
 *
 * libslirp, which -netdev user stands on, exists as a shared library only, and brings GLib
 * and others along. To load them all takes longer than everything else that happens until
 * a guest runs, and three MB, in every VMM, though few have such a network. So vmm is
 * linked without any shared library, and vmm-slirp beside it with all of them. Asked for
 * such a network, or for a TCP socket, whose host's name only shared libraries can look up
 * (05-virtio/tcp_socket.h), vmm becomes vmm-slirp before it has opened anything.
 *
 *     vmm ... -nic user
 *      |  inventory_read(): -nic user
 *      +--user_network_needed()--execv()--> vmm-slirp ... -nic user
 *
 * user_network_apart.c is in vmm, user_network_linked.c in vmm-slirp, and in a vmm that was
 * built where static libraries are missing or for a sanitizer.
 */
#ifndef CHAPTER_07_USER_NETWORK_H
#define CHAPTER_07_USER_NETWORK_H

/* Returns in a program that has the library. In the other it does not return. */
void user_network_needed(char **argv);

#endif
