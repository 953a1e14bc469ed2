/* services/local/list-file: which files of destinations are read, and which never (XL2). */

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "services/local/list-file.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

#define OWNER 4201
#define GROUP 4301

static TempTree tree;
static char path[128];

static void setup(void) {
        temp_tree_make(&tree);
        (void)temp_tree_path(&tree, "forward", path, sizeof(path));
}

static void teardown(void) {
        temp_tree_remove(&tree);
}

static void make(const char *text, uid_t uid, gid_t gid, mode_t mode) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        ck_assert_int_eq(fchown(fd, uid, gid), 0);
        ck_assert_int_eq(fchmod(fd, mode), 0);
        ck_assert_int_eq(close(fd), 0);
}

static int read_it(bool follow, size_t max, Buf *ret) {
        const ListFileRules rules = {
                .follow_symlink = follow,
                .check_owner = true,
                .owner = OWNER,
                .group = GROUP,
        };

        *ret = BUF_INIT(max);
        return list_file_read(path, &rules, ret, NULL);
}

static void expect(bool follow, int result) {
        Buf text;

        ck_assert_int_eq(read_it(follow, 100, &text), result);
        ck_assert(result == 0 || text.len == 0);
        buf_deinit(&text);
}

START_TEST(the_owners_and_roots_files_are_read) {
        Buf text;

        make("bob\n", OWNER, GROUP, 0644);
        ck_assert_int_eq(read_it(false, 100, &text), 0);
        ck_assert(str_equal(buf_str(&text), STR("bob\n")));
        buf_deinit(&text);
        make("bob\n", 0, 0, 0664);
        expect(false, 0);
        make("", OWNER, GROUP, 0600);
        expect(false, 0);
}
END_TEST

START_TEST(owner_and_mode_decide) {
        make("bob\n", OWNER + 1, GROUP, 0644);
        expect(false, LIST_FILE_E_OWNER);
        make("bob\n", OWNER, GROUP, 0646);
        expect(false, LIST_FILE_E_WRITABLE);
        make("bob\n", OWNER, GROUP + 1, 0664);
        expect(false, LIST_FILE_E_WRITABLE);
        make("bob\n", OWNER, GROUP, 0664);
        expect(false, 0);
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_waited_for) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        expect(false, LIST_FILE_E_MISSING);
        ck_assert_int_eq(mkfifo(path, 0644), 0);
        expect(false, LIST_FILE_E_NOT_REGULAR);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        expect(false, LIST_FILE_E_NOT_REGULAR);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(symlink("/etc/passwd", path), 0);
        expect(false, LIST_FILE_E_NOT_REGULAR);
        expect(true, LIST_FILE_E_TOO_BIG); /* root's, and larger than there is room */
        ck_assert_int_eq(unlink(path), 0);
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        expect(false, LIST_FILE_E_NOT_REGULAR);
        ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(behind_a_link_root_sees_what_everybody_may_see) {
        const ListFileRules rules = { .follow_symlink = true, .is_root = true };
        char link[sizeof(path) + 8], directory[sizeof(path) + 8], below[2 * sizeof(path)];
        const char *const by_link[] = { link, below };
        Buf text = BUF_INIT(100);

        (void)snprintf(link, sizeof(link), "%s.link", path);
        (void)snprintf(directory, sizeof(directory), "%s.dir", path);
        (void)snprintf(below, sizeof(below), "%s/forward", directory);
        ck_assert_int_eq(symlink("forward", link), 0);
        ck_assert_int_eq(symlink(".", directory), 0);
        make("bob\n", 0, 0, 0640);
        ck_assert_int_eq(list_file_read(path, &rules, &text, NULL), 0);
        for (size_t i = 0; i < ARRAY_LEN(by_link); i++)
                ck_assert_int_eq(list_file_read(by_link[i], &rules, &text, NULL),
                                 LIST_FILE_E_NOT_READABLE);
        ck_assert_int_eq(chmod(path, 0644), 0);
        for (size_t i = 0; i < ARRAY_LEN(by_link); i++)
                ck_assert_int_eq(list_file_read(by_link[i], &rules, &text, NULL), 0);
        buf_deinit(&text);
}
END_TEST

START_TEST(what_is_too_big_is_not_read) {
        Buf text;

        make("12345678", OWNER, GROUP, 0644);
        ck_assert_int_eq(read_it(false, 8, &text), 0);
        buf_deinit(&text);
        ck_assert_int_eq(read_it(false, 7, &text), LIST_FILE_E_TOO_BIG);
        buf_deinit(&text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("list-file");
        TCase *tcase = tcase_create("list-file");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, the_owners_and_roots_files_are_read);
        tcase_add_test(tcase, owner_and_mode_decide);
        tcase_add_test(tcase, what_is_no_regular_file_is_not_waited_for);
        tcase_add_test(tcase, behind_a_link_root_sees_what_everybody_may_see);
        tcase_add_test(tcase, what_is_too_big_is_not_read);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
