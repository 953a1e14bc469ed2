#pragma once

/*
 * comsat's datagram (biff(1)): "USER@OFFSET" to the UDP port biff of this machine, after mail was
 * put into USER's mailbox in the spool at OFFSET. Nobody waits for it, and no failure matters.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct Biff {
        bool enabled; /* parameter biff */
        int fd;       /* opened for the first datagram; -1: not yet */
} Biff;

#define BIFF_INIT ((Biff){ .fd = -1 })

/* Tell that USER has new mail at OFFSET of the mailbox. */
void biff_notify(Biff *biff, const char *user, uint64_t offset);

/* Close the socket. */
void biff_deinit(Biff *biff);
