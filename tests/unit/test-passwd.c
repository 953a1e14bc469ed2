/* Users: those who are there, those who are not, and "nobody can tell", where glibc says they are
 * not. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/macro.h"
#include "common/base/passwd.h"
#include "tests/unit/unit.h"

/* "daemon" is in every /etc/passwd; root would be known to systemd's NSS module without it. */
#define NOBODY "no-such-user-here"

/* What is asked for: a name, or, when that is NULL, a number. */
static int find(const char *name, uid_t uid) {
        char *memory _cleanup_(freep) = NULL;
        struct passwd entry;
        int r = passwd_find(name, uid, &entry, &memory);

        if (r == 0) {
                ck_assert_str_eq(entry.pw_name, "daemon");
                ck_assert_uint_eq(entry.pw_uid, 1);
        }
        return r;
}

START_TEST(users_are_found_by_name_and_number) {
        ck_assert_int_eq(find("daemon", 0), 0);
        ck_assert_int_eq(find(NULL, 1), 0);
        ck_assert_int_eq(find(NOBODY, 0), PASSWD_E_UNKNOWN);
        ck_assert_int_eq(find(NULL, 4000000001U), PASSWD_E_UNKNOWN);
}
END_TEST

/* libcheck gives each test a process of its own. */
START_TEST(without_descriptors_nobody_is_unknown) {
        struct rlimit limit;

        ck_assert_int_eq(find(NOBODY, 0), PASSWD_E_UNKNOWN); /* NSS has loaded what it needs */
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = 0;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_int_eq(find(NOBODY, 0), -EMFILE);
        ck_assert_int_eq(find("daemon", 0), -EMFILE);
        ck_assert_int_eq(find(NULL, 1), -EMFILE);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_int_eq(find("daemon", 0), 0);
}
END_TEST

int main(void) {
        return unit_main("passwd", users_are_found_by_name_and_number,
                         without_descriptors_nobody_is_unknown, NULL);
}
