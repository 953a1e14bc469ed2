#include "common/role/command-kill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "common/base/file.h"

#define BATCH_MAX       ((size_t)128) /* pidfds held at a time */
#define STOP_ROUNDS_MAX 20
#define CHILDREN_MAX    (COMMAND_KILL_PIDS_MAX * 8) /* bytes of a list of children */

int command_pids_add(CommandPids *pids, pid_t pid) {
        if (pids->n == COMMAND_KILL_PIDS_MAX)
                return -E2BIG;
        if (pids->n == pids->n_slots) {
                size_t n_slots = size_max(64, pids->n_slots * 2);
                pid_t *grown = reallocarray(pids->pids, n_slots, sizeof(pid_t));

                if (!grown)
                        return -ENOMEM;
                pids->pids = grown;
                pids->n_slots = n_slots;
        }
        pids->pids[pids->n++] = pid;
        return 0;
}

static void pids_deinit(CommandPids *pids) {
        free(pids->pids);
}

static int compare(const void *a, const void *b) {
        pid_t x = *(const pid_t *)a;
        pid_t y = *(const pid_t *)b;

        return x < y ? -1 : x > y;
}

/* ---- descendants ---- */

static int add_children_of_thread(pid_t pid, const char *thread, Buf *text, CommandPids *pids) {
        char path[64];
        Str rest, word;
        uint64_t child;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid, thread);
        buf_reset(text);
        if (file_read(AT_FDCWD, path, text) != 0)
                return 0; /* gone: its children have another parent now, seen by the next pass */
        rest = buf_str(text);
        while (str_next_word(&rest, &word)) {
                if (str_parse_u64(word, INT32_MAX, &child) != 0)
                        continue;
                r = command_pids_add(pids, (pid_t)child);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void closedirp(DIR **directory) {
        if (*directory)
                (void)closedir(*directory);
}

static int add_children(pid_t pid, Buf *text, CommandPids *pids) {
        _cleanup_(closedirp) DIR *threads = NULL;
        const struct dirent *entry;
        char path[32];
        int r = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        threads = opendir(path);
        while (r == 0 && threads && (entry = readdir(threads)))
                if (ascii_is_digit(entry->d_name[0]))
                        r = add_children_of_thread(pid, entry->d_name, text, pids);
        return r;
}

int command_kill_list_descendants(void *userdata, CommandPids *pids) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(CHILDREN_MAX);
        size_t n_seen = pids->n;
        int r = add_children(getpid(), &text, pids);

        while (r == 0 && n_seen < pids->n)
                r = add_children(pids->pids[n_seen++], &text, pids);
        /* More than can be held: those first, the rest is there for the next pass. */
        return r == -E2BIG ? 0 : r;
}

/* ---- signals ---- */

/* Of N processes that were listed before: SIGNAL_NUMBER to those that LIST still names. */
static int signal_batch(const pid_t *pids, size_t n, CommandKillList list, void *userdata,
                        int signal_number) {
        _cleanup_(pids_deinit) CommandPids again = { 0 };
        int fds[BATCH_MAX];
        int r;

        for (size_t i = 0; i < n; i++)
                fds[i] = pidfd_open(pids[i], 0);
        r = list(userdata, &again);
        if (again.n > 0)
                qsort(again.pids, again.n, sizeof(pid_t), compare);
        for (size_t i = 0; i < n; i++) {
                if (fds[i] < 0)
                        continue;
                if (again.n > 0 && bsearch(&pids[i], again.pids, again.n, sizeof(pid_t), compare))
                        (void)pidfd_send_signal(fds[i], signal_number, NULL, 0);
                (void)close(fds[i]);
        }
        return r;
}

/* SIGNAL_NUMBER to all that LIST names: how many those are, or negative errno. */
static int signal_listed(CommandKillList list, void *userdata, int signal_number) {
        _cleanup_(pids_deinit) CommandPids pids = { 0 };
        int r = list(userdata, &pids);

        for (size_t i = 0; r == 0 && i < pids.n; i += BATCH_MAX)
                r = signal_batch(pids.pids + i, size_min(BATCH_MAX, pids.n - i), list, userdata,
                                 signal_number);
        return r < 0 ? r : (int)pids.n;
}

int command_kill_listed(CommandKillList list, void *userdata) {
        int n_before = -1;
        int n;

        for (int i = 0; i < STOP_ROUNDS_MAX; i++) {
                n = signal_listed(list, userdata, SIGSTOP);
                if (n <= 0)
                        return n;
                if (n == n_before)
                        break;
                n_before = n;
        }
        return signal_listed(list, userdata, SIGKILL);
}

bool command_kill_reap(void) {
        siginfo_t info;

        do
                info.si_pid = 0;
        while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0);
        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}
