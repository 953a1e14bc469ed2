/* The state: text and back, damage counts as no state, and the file. */

#include "services/notify/state.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static void set(State *state, const char *path, uint32_t first, uint32_t second) {
        _cleanup_(ids_deinit) Ids ids = IDS_NULL;

        ck_assert_int_eq(ids_add(&ids, first), 0);
        ck_assert_int_eq(ids_add(&ids, second), 0);
        ck_assert_int_eq(state_set(state, path, &ids), 0);
}

START_TEST(what_is_formatted_is_parsed_again) {
        _cleanup_(state_deinit) State state = STATE_NULL, again = STATE_NULL;
        _cleanup_(buf_deinit) Buf text = BUF_INIT(STATE_MAX_BYTES);

        set(&state, "/var/mail/a b", 7, 0xffffffff);
        set(&state, "/home/a/Maildir/", 2, 1);
        ck_assert_int_eq(state_set(&state, "/empty", &IDS_NULL), 0);
        ck_assert_int_eq(state_format(&state, &text), 0);
        ck_assert_str_eq(buf_cstr(&text),
                         "unitpost-notify 1\nmailbox /var/mail/a b\n00000007\nFFFFFFFF\n"
                         "mailbox /home/a/Maildir/\n00000001\n00000002\nmailbox /empty\n");
        ck_assert_int_eq(state_parse(buf_str(&text), &again), 0);
        ck_assert(ids_has(state_find(&again, "/var/mail/a b"), 0xffffffff));
        ck_assert_uint_eq(state_find(&again, "/empty")->n, 0);
        ck_assert_ptr_null(state_find(&again, "/other"));
        state_forget(&again, "/var/mail/a b");
        ck_assert_ptr_null(state_find(&again, "/var/mail/a b"));
        ck_assert(ids_has(state_find(&again, "/home/a/Maildir/"), 2));
}
END_TEST

static const char *const damaged[] = {
        "",
        "unitpost-notify 1",
        "unitpost-notify 2\n",
        "unitpost-notify 1\n00000001\n",
        "unitpost-notify 1\nmailbox \n",
        "unitpost-notify 1\nmailbox /a\n0000001\n",
        "unitpost-notify 1\nmailbox /a\n0000000g\n",
        "unitpost-notify 1\nmailbox /a\n00000001",
        "unitpost-notify 1\nmailbox /a\n\n",
        "unitpost-notify 1\nmailbox /a\nmailbox /a\n",
        /* one too many */
        ("unitpost-notify 1\nmailbox 1\nmailbox 2\nmailbox 3\nmailbox 4\nmailbox 5\nmailbox 6\n"
         "mailbox 7\nmailbox 8\nmailbox 9\n"),
};

START_TEST(damage_is_no_state) {
        _cleanup_(state_deinit) State state = STATE_NULL;

        ck_assert_int_eq(state_parse(str_from_cstr(damaged[_i]), &state), STATE_E_SYNTAX);
        ck_assert_uint_eq(state.n, 0);
}
END_TEST

START_TEST(what_cannot_be_kept_is_refused) {
        _cleanup_(state_deinit) State state = STATE_NULL;
        char path[] = "/0";

        ck_assert_int_eq(state_set(&state, "/a\nb", &IDS_NULL), STATE_E_SYNTAX);
        ck_assert_int_eq(state_set(&state, "", &IDS_NULL), STATE_E_SYNTAX);
        for (size_t i = 0; i < STATE_MAILBOXES_MAX; i++, path[1]++)
                ck_assert_int_eq(state_set(&state, path, &IDS_NULL), 0);
        ck_assert_int_eq(state_set(&state, path, &IDS_NULL), STATE_E_FULL);
        ck_assert_int_eq(state_set(&state, "/0", &IDS_NULL), 0);
}
END_TEST

START_TEST(the_largest_state_fits_its_file) {
        _cleanup_(state_deinit) State state = STATE_NULL;
        _cleanup_(ids_deinit) Ids ids = IDS_NULL;
        _cleanup_(buf_deinit) Buf text = BUF_INIT(STATE_MAX_BYTES);
        static char path[STATE_PATH_MAX + 1];

        memset(path, 'x', STATE_PATH_MAX);
        for (uint32_t id = 0; id < IDS_MAX + 1; id++)
                ck_assert_int_eq(ids_add(&ids, id), 0);
        for (size_t i = 0; i < STATE_MAILBOXES_MAX; i++, path[0]++)
                ck_assert_int_eq(state_set(&state, path, &ids), 0);
        ck_assert_int_eq(state_format(&state, &text), 0);
}
END_TEST

START_TEST(the_file_is_replaced_whole_and_only_when_it_changes) {
        _cleanup_(state_deinit) State state = STATE_NULL, again = STATE_NULL;
        _cleanup_(buf_deinit) Buf old = BUF_INIT(STATE_MAX_BYTES);
        _cleanup_(fd_closep) int fd = -1;
        char path[128];
        TempTree tree;

        temp_tree_make(&tree);
        ck_assert_int_eq(unsetenv("STATE_DIRECTORY"), 0);
        ck_assert_int_eq(setenv("XDG_STATE_HOME", temp_tree_path(&tree, "a/b", path, 128), 1), 0);
        fd = state_directory_open();
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(state_load(fd, &old, &state), 0);
        ck_assert_uint_eq(state.n, 0);
        set(&state, "/box", 1, 2);
        ck_assert_int_eq(state_save(fd, &state, &old), 0);
        ck_assert_int_eq(access(temp_tree_path(&tree, "a/b/unitpost/notify", path, 128), R_OK), 0);

        ck_assert_int_eq(unlinkat(fd, "notify", 0), 0);
        ck_assert_int_eq(state_save(fd, &state, &old), 0);
        ck_assert_int_eq(faccessat(fd, "notify", R_OK, 0), -1);

        set(&state, "/box", 1, 3);
        ck_assert_int_eq(state_save(fd, &state, &old), 0);
        buf_reset(&old);
        ck_assert_int_eq(state_load(fd, &old, &again), 0);
        ck_assert(ids_has(state_find(&again, "/box"), 3));
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(a_damaged_file_counts_as_none) {
        _cleanup_(state_deinit) State state = STATE_NULL;
        _cleanup_(buf_deinit) Buf old = BUF_INIT(STATE_MAX_BYTES);
        _cleanup_(fd_closep) int fd = -1;
        TempTree tree;

        temp_tree_make(&tree);
        temp_tree_write_text(&tree, "notify", damaged[3]);
        ck_assert_int_eq(setenv("STATE_DIRECTORY", tree.root, 1), 0);
        fd = state_directory_open();
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(state_load(fd, &old, &state), 0);
        ck_assert_uint_eq(state.n, 0);
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(without_a_home_there_is_no_state) {
        ck_assert_int_eq(unsetenv("STATE_DIRECTORY"), 0);
        ck_assert_int_eq(unsetenv("HOME"), 0);
        ck_assert_int_eq(setenv("XDG_STATE_HOME", "relative", 1), 0);
        ck_assert_int_eq(state_directory_open(), -ENOENT);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("notify-state");
        TCase *tcase = tcase_create("notify-state");

        tcase_add_test(tcase, what_is_formatted_is_parsed_again);
        tcase_add_loop_test(tcase, damage_is_no_state, 0, ARRAY_LEN(damaged));
        tcase_add_test(tcase, what_cannot_be_kept_is_refused);
        tcase_add_test(tcase, the_largest_state_fits_its_file);
        tcase_add_test(tcase, the_file_is_replaced_whole_and_only_when_it_changes);
        tcase_add_test(tcase, a_damaged_file_counts_as_none);
        tcase_add_test(tcase, without_a_home_there_is_no_state);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
