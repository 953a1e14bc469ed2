/*
 * The handler of SIGBUS. It puts a page under the address that could not be read, so that the read
 * is done once more and succeeds: nothing is jumped out of, and whatever was reading keeps its
 * locks and its memory in order.
 */

#include "common/base/map-guard.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile sig_atomic_t is_inside;
static volatile sig_atomic_t is_broken;
static size_t page_bytes;

static void on_bus_error(int number, siginfo_t *info, void *context) {
        uintptr_t address = (uintptr_t)info->si_addr;
        void *page = (void *)(address - address % page_bytes);

        if (is_inside && info->si_code == BUS_ADRERR &&
            mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                    page)
                is_broken = 1;
        else
                (void)signal(number, SIG_DFL); /* the read is done once more, and kills */
}

void map_guard_enter(void) {
        static bool is_installed;

        if (!is_installed) {
                struct sigaction action = { .sa_sigaction = on_bus_error,
                                            .sa_flags = SA_SIGINFO | SA_RESTART };

                page_bytes = (size_t)sysconf(_SC_PAGESIZE);
                is_installed = sigaction(SIGBUS, &action, NULL) == 0;
        }
        is_broken = 0;
        is_inside = 1;
}

bool map_guard_leave(void) {
        is_inside = 0;
        return !is_broken;
}
