/* A mapped file that is cut short while it is read. */

#include "common/base/map-guard.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define PAGE 4096

static volatile const char *map;
static int fd;

static void set_up(void) {
        FILE *file = tmpfile();

        ck_assert_ptr_nonnull(file);
        fd = fileno(file);
        ck_assert_int_eq(ftruncate(fd, 3L * PAGE), 0);
        ck_assert_int_eq(pwrite(fd, "x", 1, 2L * PAGE), 1);
        map = mmap(NULL, 3L * PAGE, PROT_READ, MAP_SHARED, fd, 0);
        ck_assert(map != MAP_FAILED);
}

START_TEST(a_read_behind_the_end_is_told_of_and_reads_as_zeroes) {
        set_up();
        map_guard_enter();
        ck_assert_int_eq(map[2L * PAGE], 'x');
        ck_assert(map_guard_leave());
        ck_assert_int_eq(ftruncate(fd, PAGE), 0);
        map_guard_enter();
        ck_assert_int_eq(map[0], 0);
        ck_assert(map_guard_leave());
        map_guard_enter();
        ck_assert_int_eq(map[2L * PAGE], 0);
        ck_assert_int_eq(map[PAGE + 5], 0);
        ck_assert(!map_guard_leave());
        map_guard_enter();
        ck_assert(map_guard_leave());
}
END_TEST

START_TEST(outside_of_a_section_it_kills) {
        int status;
        pid_t child;

        set_up();
        map_guard_enter();
        ck_assert(map_guard_leave());
        ck_assert_int_eq(ftruncate(fd, PAGE), 0);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                alarm(10);
                _exit(map[2L * PAGE]);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}
END_TEST

int main(void) {
        return unit_main("map-guard", a_read_behind_the_end_is_told_of_and_reads_as_zeroes,
                         outside_of_a_section_it_kills, NULL);
}
