/*
 * Loading a configuration from a tree of files: which layer wins, what the machine's own defaults
 * are, every type's bounds, and that nothing unreadable or malformed is guessed at.
 */

#include "common/role/config.h"

#include "common/role/config-layer.h"
#include "common/role/config-value.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static Buf error;
static Config *config;

static void set_up(void) {
        temp_tree_make(&tree);
        error = BUF_INIT(4096);
}

static void tear_down(void) {
        config = config_free(config);
        buf_deinit(&error);
        temp_tree_remove(&tree);
}

static int load_as(const char *service, const char *const *overrides) {
        ConfigSource source = {
                .root = tree.root,
                .service_name = service,
                .overrides = overrides,
        };

        config = config_free(config);
        buf_reset(&error);
        return config_load(&source, &config, &error);
}

static void load_well(void) {
        int r = load_as(NULL, NULL);

        ck_assert_msg(r == 0, "%d: %s", r, buf_cstr(&error));
}

static void main_cf(const char *text) {
        temp_tree_write_text(&tree, "etc/unitpost/main.cf", text);
}

static void expect_error(const char *expected) {
        int r = load_as(NULL, NULL);

        ck_assert_int_ne(r, 0);
        ck_assert_ptr_null(config);
        ck_assert_msg(strstr(buf_cstr(&error), expected) != NULL, "%s", buf_cstr(&error));
}

START_TEST(rows_are_sorted_and_their_defaults_are_valid) {
        for (int i = 1; i < CONFIG_N_PARAMS; i++)
                ck_assert_str_lt(config_param_info((ConfigParam)(i - 1))->name,
                                 config_param_info((ConfigParam)i)->name);
        load_well();
}
END_TEST

START_TEST(an_empty_etc_gives_the_built_in_values) {
        size_t cursor = 0;

        load_well();
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "unitpost");
        ck_assert_int_eq(config_int(config, PARAM_hopcount_limit), 50);
        ck_assert_uint_eq(config_time_usec(config, PARAM_maximal_queue_lifetime),
                          5 * 86400 * USEC_PER_SEC);
        ck_assert_uint_eq(config_time_usec(config, PARAM_max_idle), 30 * USEC_PER_SEC);
        ck_assert_ptr_null(config_next_warning(config, &cursor));
}
END_TEST

/* Each layer sets its own name and that of all layers above it. */
static const char *const layer_files[] = {
        "usr/lib/unitpost/main.cf",        "usr/lib/unitpost/main.cf.d/10.cf",
        "usr/lib/unitpost/main.cf.d/9.cf", "etc/unitpost/main.cf",
        "etc/unitpost/main.cf.d/a.cf",     "etc/unitpost/main.cf.d/b.cf",
        "run/unitpost/main.cf.d/0.cf",     "etc/unitpost/service/relay.cf",
};

START_TEST(the_later_layer_wins) {
        char text[64];

        for (int i = 0; i <= _i; i++) {
                (void)snprintf(text, sizeof(text), "mail_name = layer-%d\n", i);
                temp_tree_write_text(&tree, layer_files[i], text);
        }
        /* neither of these is a drop-in, nor is the other service's file read */
        temp_tree_write_text(&tree, "etc/unitpost/main.cf.d/z.cf~", "mail_name = no\n");
        temp_tree_write_text(&tree, "etc/unitpost/main.cf.d/.z.cf", "mail_name = no\n");
        temp_tree_write_text(&tree, "etc/unitpost/service/other.cf", "mail_name = no\n");
        ck_assert_int_eq(load_as("relay", NULL), 0);
        (void)snprintf(text, sizeof(text), "layer-%d", _i);
        ck_assert_str_eq(config_string(config, PARAM_mail_name), text);
}
END_TEST

START_TEST(an_override_wins_over_every_file) {
        const char *const overrides[] = { "mail_name = first", "mail_name=last one ",
                                          "slow_destination_recipient_limit=7", NULL };

        main_cf("mail_name = file\n");
        ck_assert_int_eq(load_as(NULL, overrides), 0);
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "last one");
        ck_assert_int_eq(config_service_int(config, "slow", "destination_recipient_limit",
                                            PARAM_default_destination_recipient_limit),
                         7);
}
END_TEST

START_TEST(a_bad_override_is_named) {
        const char *const no_equals[] = { "mail_name", NULL };
        const char *const no_number[] = { "hopcount_limit=many", NULL };

        ck_assert_int_eq(load_as(NULL, no_equals), CONFIG_E_INVALID);
        ck_assert_str_eq(buf_cstr(&error), "-o mail_name: no '=' after the parameter name");
        ck_assert_int_eq(load_as(NULL, no_number), CONFIG_E_INVALID);
        ck_assert_str_eq(buf_cstr(&error), "-o hopcount_limit = many: not a number; allowed: "
                                           "1 to 2147483647");
}
END_TEST

START_TEST(a_service_name_is_no_path) {
        temp_tree_write_text(&tree, "etc/unitpost/x.cf", "mail_name = no\n");
        ck_assert_int_eq(load_as("../x", NULL), CONFIG_E_INVALID);
        ck_assert_int_eq(load_as("", NULL), CONFIG_E_INVALID);
}
END_TEST

START_TEST(the_last_setting_of_a_name_wins) {
        main_cf("mail_name = a\nmail_name = b\nmine = 1\nmine = 2\nsyslog_name = $mine$mine\n");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "b");
        ck_assert_str_eq(config_string(config, PARAM_syslog_name), "22");
}
END_TEST

START_TEST(values_expand_over_all_layers) {
        Buf text = BUF_INIT(256);

        temp_tree_write_text(&tree, "usr/lib/unitpost/main.cf", "one = 1\nhopcount_limit=${one}7");
        main_cf("one = 2\nmyhostname = mx.example.org\n");
        load_well();
        ck_assert_int_eq(config_int(config, PARAM_hopcount_limit), 27);
        ck_assert_str_eq(config_string(config, PARAM_mydestination),
                         "mx.example.org, localhost.example.org, localhost");
        ck_assert_int_eq(config_expand(config, STR("<$one@$mydomain>"), &text, &error), 0);
        ck_assert_str_eq(buf_cstr(&text), "<2@example.org>");
        ck_assert_int_eq(config_expand(config, STR("${one"), &text, &error), CONFIG_E_INVALID);
        buf_deinit(&text);
}
END_TEST

START_TEST(a_loop_names_its_parameter_file_and_line) {
        main_cf("\nmail_name = ${syslog_name?{$syslog_name}}\nsyslog_name = $mail_name\n");
        expect_error("/etc/unitpost/main.cf, line 2: mail_name = ${syslog_name?{$syslog_name}}: "
                     "loop, or more than 100 levels, at \"");
}
END_TEST

START_TEST(an_error_in_a_default_says_so) {
        main_cf("mydomain = example.org\nmyhostname = mx.example.org\n");
        load_well();
        main_cf("mail_name = $$ok\nmydestination = $deep\ndeep = ${mail_name\n");
        expect_error("/etc/unitpost/main.cf, line 2: mydestination = $deep: no closing bracket");
}
END_TEST

START_TEST(myhostname_is_the_systems_with_localdomain_where_it_has_no_dot) {
        char name[256];
        char expected[512];
        const char *dot;

        ck_assert_int_eq(gethostname(name, sizeof(name)), 0);
        dot = strchr(name, '.');
        (void)snprintf(expected, sizeof(expected), "%s%s", name, dot ? "" : ".localdomain");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_myhostname), expected);
        ck_assert_str_eq(config_string(config, PARAM_mydomain), dot ? dot + 1 : "localdomain");
        ck_assert_str_eq(config_string(config, PARAM_myorigin), expected);
        ck_assert(config_list_has(config_string(config, PARAM_mydestination), str_from_cstr(name)));
        main_cf("mydomain = example.org\n");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_mydomain), "example.org");
        if (!dot) {
                (void)snprintf(expected, sizeof(expected), "%s.example.org", name);
                ck_assert_str_eq(config_string(config, PARAM_myhostname), expected);
        }
}
END_TEST

START_TEST(explicit_names_win) {
        temp_tree_write_text(&tree, "etc/mailname", "origin.example\nsecond line\n");
        main_cf("myhostname = plain\n");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_myhostname), "plain");
        ck_assert_str_eq(config_string(config, PARAM_mydomain), "localdomain");
        ck_assert_str_eq(config_string(config, PARAM_myorigin), "origin.example");
        ck_assert_str_eq(config_string(config, PARAM_mydestination),
                         "plain, localhost.localdomain, localhost, origin.example");
        main_cf("myhostname = mail.$mydomain\nmydomain = example.org\nmyorigin = $mydomain\n");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_myhostname), "mail.example.org");
        ck_assert_str_eq(config_string(config, PARAM_myorigin), "example.org");
}
END_TEST

START_TEST(myorigin_may_name_a_file_as_in_debian) {
        temp_tree_write_text(&tree, "etc/origin", " other.example \n");
        main_cf("myorigin = /etc/origin\n");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_myorigin), "other.example");
        main_cf("myorigin = /etc/none\n");
        expect_error("myorigin = /etc/none: no such file");
        temp_tree_write_text(&tree, "etc/origin", "not a name\n");
        main_cf("myorigin = /etc/origin\n");
        expect_error("/etc/origin, line 1: not a domain name: \"not a name\"");
}
END_TEST

typedef struct ValueCase {
        const char *setting;
        int64_t expected;
        const char *error; /* NULL: well */
} ValueCase;

#define DAYS_USEC(n) (86400LL * 1000000 * (n))

static const ValueCase value_cases[] = {
        { "hopcount_limit = 1", 1, NULL },
        { "hopcount_limit = +7", 7, NULL },
        { "hopcount_limit = 0", 0, "out of range; allowed: 1 to 2147483647" },
        { "hopcount_limit = -1", 0, "out of range" },
        { "hopcount_limit = 2147483648", 0, "out of range" },
        { "hopcount_limit = 99999999999999999999", 0, "not a number" },
        { "hopcount_limit =", 0, "not a number" },
        { "hopcount_limit = 1 2", 0, "not a number" },
        { "hopcount_limit = 0x10", 0, "not a number" },
        { "mailbox_size_limit = 0", 0, NULL },
        { "mailbox_size_limit = 9223372036854775807", INT64_MAX, NULL },
        { "mailbox_size_limit = 9223372036854775808", 0, "to 9223372036854775807 bytes" },
        { "mailbox_size_limit = 1M", 0, "not a number" },
        { "max_idle = 1", 1000000, NULL },
        { "max_idle = 90s", 90000000, NULL },
        { "max_idle = 2m", 120000000, NULL },
        { "max_idle = 3h", 3 * 3600000000LL, NULL },
        { "max_idle = 1d", DAYS_USEC(1), NULL },
        { "max_idle = 2d", 0, "out of range; allowed: 1 to 86400 seconds" },
        { "max_idle = 0", 0, "out of range" },
        { "max_idle = s", 0, "not a number with a unit of s, m, h, d or w" },
        { "max_idle = 1.5h", 0, "not a number with a unit" },
        { "max_idle = 10S", 0, "not a number with a unit" },
        { "max_idle = 9223372036854775807w", 0, "not a number with a unit" },
        { "maximal_queue_lifetime = 1", DAYS_USEC(1), NULL }, /* the default's unit is d */
        { "maximal_queue_lifetime = 1w", DAYS_USEC(7), NULL },
        { "maximal_queue_lifetime = 0", 0, NULL },
};

START_TEST(each_type_takes_its_values_and_names_its_bounds) {
        const ValueCase *c = &value_cases[_i];
        Str name = str_first(str_from_cstr(c->setting), str_find(str_from_cstr(c->setting), ' '));
        ConfigParam param = CONFIG_N_PARAMS;

        ck_assert(config_value_find_param(name, &param));
        main_cf(c->setting);
        if (c->error) {
                expect_error(c->error);
                ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "/etc/unitpost/main.cf, line 1: "));
                return;
        }
        load_well();
        ck_assert_int_eq(config_int(config, param), c->expected);
}
END_TEST

START_TEST(booleans_are_yes_and_no_in_any_case) {
        static const ConfigParamInfo info = { .name = "x", .type = CONFIG_BOOL };
        int64_t value;

        ck_assert_int_eq(config_value_parse(&info, STR("Yes"), &value, &error), 0);
        ck_assert_int_eq(value, 1);
        ck_assert_int_eq(config_value_parse(&info, STR("NO"), &value, &error), 0);
        ck_assert_int_eq(value, 0);
        ck_assert_int_ne(config_value_parse(&info, STR("1"), &value, &error), 0);
        ck_assert_int_ne(config_value_parse(&info, STR("yes "), &value, &error), 0);
        ck_assert_int_ne(config_value_parse(&info, STR(""), &value, &error), 0);
}
END_TEST

START_TEST(unknown_names_are_warned_about_once) {
        size_t cursor = 0;

        main_cf("mail_nam = x\n"
                "mine = 1\nsyslog_name = u$mine\nhidden = 2\nalso = ${hidden?x}\n"
                "relay_destination_concurrency_limit = 5\n"
                "relay_destination_concurrency_limitt = 5\n"
                "mail_nam = y\n");
        load_well();
        ck_assert_str_eq(config_next_warning(config, &cursor),
                         "/etc/unitpost/main.cf, line 5: unknown parameter also");
        ck_assert_str_eq(config_next_warning(config, &cursor),
                         "/etc/unitpost/main.cf, line 8: unknown parameter mail_nam; did you "
                         "mean mail_name?");
        ck_assert_str_eq(config_next_warning(config, &cursor),
                         "/etc/unitpost/main.cf, line 7: unknown parameter "
                         "relay_destination_concurrency_limitt");
        ck_assert_ptr_null(config_next_warning(config, &cursor));
}
END_TEST

/* Load main.cf TEXT and expect these warnings alone, each without "/etc/unitpost/main.cf, ". */
static void expect_warnings(const char *text, const char *const *expected) {
        static const char file[] = "/etc/unitpost/main.cf, ";
        size_t cursor = 0;
        const char *warning;

        main_cf(text);
        load_well();
        while ((warning = config_next_warning(config, &cursor))) {
                if (strncmp(warning, file, sizeof(file) - 1) == 0)
                        warning += sizeof(file) - 1;
                ck_assert_msg(*expected != NULL, "%s", warning);
                ck_assert_str_eq(warning, *expected++);
        }
        ck_assert_msg(*expected == NULL, "%s", *expected);
}

START_TEST(a_misspelt_name_is_told_the_nearest_one) {
        static const struct {
                const char *text;
                const char *expected;
        } misspelt[] = {
                { "hopcuont_limit =", "hopcount_limit" },
                { "hopcount-limit =", "hopcount_limit" },
                { "HopCount_Limit =", "hopcount_limit" },
                { "Maximal-Queue-LifeTime =", "maximal_queue_lifetime" },
                { "command-time-limit =", "command_time_limit" },
                { "2bounce-notice-recipient =", "2bounce_notice_recipient" },
                { "show-user-unknown-table-name =", "show_user_unknown_table_name" },
                { "mydestinations =", "mydestination" },
                { "mydomian =", "mydomain" },
                { "bif =", "biff" },
                { "bfif =", "biff" },
                { "maximal_queue_lif_tim =", "maximal_queue_lifetime" },
                { "bxxf =", NULL },
                { "of =", NULL },
                { "quite_another_name =", NULL },
                { "smtpd_banner =", NULL },
        };
        char expected[256];

        for (size_t i = 0; i < ARRAY_LEN(misspelt); i++) {
                const char *text = misspelt[i].text;
                const char *const warnings[] = { expected, NULL };

                (void)snprintf(expected, sizeof(expected), "line 1: unknown parameter %.*s",
                               (int)strcspn(text, " "), text);
                if (misspelt[i].expected)
                        (void)snprintf(expected + strlen(expected), 100, "; did you mean %s?",
                                       misspelt[i].expected);
                expect_warnings(text, warnings);
        }
}
END_TEST

START_TEST(a_comment_behind_a_value_is_warned_about) {
        static const char *const expected[] = {
                "line 1: the text behind # in the value of mail_name is part of it; a comment "
                "has a line of its own: \"# no comment\"",
                "line 3: the text behind # in the value of mine is part of it; a comment has a "
                "line of its own: \"#x\"",
                NULL,
        };

        expect_warnings("mail_name = a # no comment\nsyslog_name = a#b$mine\nmine =#x\n", expected);
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "a # no comment");
}
END_TEST

START_TEST(deprecated_and_read_only_names_are_warned_about) {
        static const char *const expected[] = {
                "line 3: read-only parameter service_name; this has no effect",
                "line 2: parameter smtpd_tls_eecdh_grade, which is deprecated; take it out",
                "line 1: parameter smtpd_use_tls, which is deprecated; set "
                "smtpd_tls_security_level instead",
                NULL,
        };

        expect_warnings("smtpd_use_tls = yes\nsmtpd_tls_eecdh_grade = x\nservice_name = mine\n",
                        expected);
        ck_assert_str_eq(config_string(config, PARAM_service_name), "");
}
END_TEST

START_TEST(a_name_that_is_set_nowhere_is_warned_about) {
        static const char *const expected[] = {
                "line 1: undefined parameter mime in the value",
                "line 2: undefined parameter mome in the value",
                NULL,
        };

        /* not of what is unknown itself, and not of names that a message defines */
        expect_warnings("mail_name = ${mime?x}$mine$x_process_limit\nmine = $mome\n"
                        "syslog_name = u$mydomain\nforward_path = $home/.forward\n",
                        expected);
}
END_TEST

START_TEST(a_low_compatibility_level_brings_old_defaults_and_says_so) {
        static const char *const none[] = { NULL };
        static const char *const expected[] = {
                "using backwards-compatible default setting append_dot_mydomain=yes, because of "
                "compatibility_level = 0; newer is no",
                NULL,
        };

        expect_warnings("", none);
        ck_assert(!config_bool(config, PARAM_append_dot_mydomain));
        expect_warnings("compatibility_level = 0\n", expected);
        ck_assert(config_bool(config, PARAM_append_dot_mydomain));
        expect_warnings("compatibility_level = 0\nappend_dot_mydomain = yes\n", none);
        expect_warnings("compatibility_level = 1\n", none);
        ck_assert(!config_bool(config, PARAM_append_dot_mydomain));
        main_cf("compatibility_level = new\n");
        expect_error("main.cf, line 1: compatibility_level = new: not a level, as 2 or 3.6 or "
                     "3.6.1");
}
END_TEST

START_TEST(a_service_knows_its_name) {
        main_cf("mail_name = ${{$service_name} == {relay}?{this}:{another}}${stress?!}\n");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "another");
        temp_tree_write_text(&tree, "etc/unitpost/service/relay.cf", "stress = yes\n");
        ck_assert_int_eq(load_as("relay", NULL), 0);
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "this!");
}
END_TEST

static void expect_origin(const char *name, const char *layer, const char *file, uint64_t line) {
        ConfigOrigin origin;

        ck_assert(config_origin(config, str_from_cstr(name), &origin));
        ck_assert_str_eq(origin.layer, layer);
        ck_assert_pstr_eq(origin.file, file);
        ck_assert_uint_eq(origin.line, line);
}

START_TEST(each_value_has_an_origin) {
        static const char *const overrides[] = { "syslog_name=x", NULL };
        ConfigOrigin origin;

        temp_tree_write_text(&tree, "usr/lib/unitpost/main.cf", "\nmail_name = a\n");
        temp_tree_write_text(&tree, "etc/unitpost/main.cf", "mine = 1\nbiff =\n no\n");
        temp_tree_write_text(&tree, "run/unitpost/main.cf.d/x.cf", "#\n#\nmax_idle = 9\n");
        temp_tree_write_text(&tree, "etc/unitpost/service/x.cf", "hopcount_limit = 9\n");
        ck_assert_int_eq(load_as("x", overrides), 0);
        expect_origin("mail_name", "distribution", "/usr/lib/unitpost/main.cf", 2);
        expect_origin("mine", "admin", "/etc/unitpost/main.cf", 1);
        expect_origin("biff", "admin", "/etc/unitpost/main.cf", 2);
        expect_origin("max_idle", "runtime", "/run/unitpost/main.cf.d/x.cf", 3);
        expect_origin("hopcount_limit", "service", "/etc/unitpost/service/x.cf", 1);
        expect_origin("syslog_name", "option", NULL, 0);
        expect_origin("myhostname", "default", NULL, 0);
        expect_origin("queue_directory", "default", NULL, 0);
        ck_assert(!config_origin(config, STR("nothing"), &origin));
}
END_TEST

START_TEST(another_directory_is_all_layers) {
        const ConfigSource source = { .root = tree.root, .directory = "/other" };

        temp_tree_write_text(&tree, "usr/lib/unitpost/main.cf", "biff = no\n");
        temp_tree_write_text(&tree, "run/unitpost/main.cf.d/x.cf", "biff = no\n");
        main_cf("biff = no\n");
        temp_tree_write_text(&tree, "other/main.cf", "mail_name = a\nsyslog_name = a\n");
        temp_tree_write_text(&tree, "other/main.cf.d/x.cf", "mail_name = b\n");
        ck_assert_int_eq(config_load(&source, &config, &error), 0);
        ck_assert(config_bool(config, PARAM_biff));
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "b");
        ck_assert_str_eq(config_string(config, PARAM_syslog_name), "a");
        ck_assert_str_eq(config_string(config, PARAM_config_directory), "/other");
}
END_TEST

START_TEST(a_main_cf_that_went_is_an_error_at_a_reload_only) {
        Config *second = NULL;
        ConfigSource source = { .root = tree.root };
        char path[64];

        main_cf("mail_name = a\n");
        temp_tree_write_text(&tree, "etc/unitpost/main.cf.d/x.cf", "biff = no\n");
        load_well();
        source.previous = config;
        (void)temp_tree_path(&tree, "etc/unitpost/main.cf.d/x.cf", path, sizeof(path));
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(config_load(&source, &second, &error), 0);
        second = config_free(second);
        (void)temp_tree_path(&tree, "etc/unitpost/main.cf", path, sizeof(path));
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(config_load(&source, &second, &error), CONFIG_E_INVALID);
        ck_assert_str_eq(buf_cstr(&error), "/etc/unitpost/main.cf: gone since it was read; restart "
                                           "the service to do without it");
        load_well();
}
END_TEST

START_TEST(a_line_that_continues_nothing_is_taken_and_warned_about) {
        size_t cursor = 0;

        main_cf("# first\n  mail_name = x\n");
        load_well();
        ck_assert_str_eq(config_string(config, PARAM_mail_name), "x");
        ck_assert_str_eq(config_next_warning(config, &cursor),
                         "/etc/unitpost/main.cf, line 2: white space in front of mail_name");
}
END_TEST

START_TEST(service_defined_numbers_fall_back_and_have_bounds) {
        static const char suffix[] = "destination_concurrency_limit";
        const ConfigParam fallback = PARAM_default_destination_concurrency_limit;

        main_cf("default_destination_concurrency_limit = 11\n"
                "relay-2_destination_concurrency_limit = $mine\nmine = 5\n");
        load_well();
        ck_assert_int_eq(config_service_int(config, "relay-2", suffix, fallback), 5);
        ck_assert_int_eq(config_service_int(config, "smtp", suffix, fallback), 11);
        ck_assert_int_eq(config_service_int(config, "local", suffix, fallback), 2);
        main_cf("relay_destination_concurrency_limit = many\n");
        expect_error("/etc/unitpost/main.cf, line 1: relay_destination_concurrency_limit = many: "
                     "not a number; allowed: 0 to 1000000");
}
END_TEST

START_TEST(a_malformed_line_is_an_error_with_its_number) {
        main_cf("mail_name = x\n\nthis is not a setting\n");
        expect_error("/etc/unitpost/main.cf, line 3: no '=' after the parameter name: \"this\"");
        temp_tree_write(&tree, "etc/unitpost/main.cf", STR("mail_name = a\0b\n"));
        expect_error("/etc/unitpost/main.cf, line 1: a NUL byte: \"mail_name\"");
}
END_TEST

START_TEST(names_that_cannot_be_host_names_are_errors) {
        static const char *const bad[] = { "a b", "a..b", ".a", "a.", "-a.b", "a@b", "", "a.b-" };

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                char text[64];

                (void)snprintf(text, sizeof(text), "myhostname = %s\n", bad[i]);
                main_cf(text);
                expect_error("not a host or domain name");
        }
}
END_TEST

START_TEST(a_file_too_large_is_an_error) {
        size_t size = (size_t)10 * 1024 * 1024;
        char *text = malloc(size);

        ck_assert_ptr_nonnull(text);
        memset(text, '\n', size);
        temp_tree_write(&tree, "etc/unitpost/main.cf", str_from(text, size));
        free(text);
        expect_error("/etc/unitpost/main.cf: larger than 1048576 bytes");
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error) {
        char path[64];

        temp_tree_write_text(&tree, "etc/unitpost/main.cf/x", "");
        expect_error("/etc/unitpost/main.cf: ");
        temp_tree_write_text(&tree, "run/unitpost/main.cf.d", "");
        (void)temp_tree_path(&tree, "etc/unitpost/main.cf/x", path, sizeof(path));
        ck_assert_int_eq(unlink(path), 0);
        (void)temp_tree_path(&tree, "etc/unitpost/main.cf", path, sizeof(path));
        ck_assert_int_eq(rmdir(path), 0);
        expect_error("/run/unitpost/main.cf.d: Not a directory");
}
END_TEST

START_TEST(a_drop_in_that_leads_nowhere_is_an_error) {
        char path[64];

        temp_tree_write_text(&tree, "etc/unitpost/main.cf.d/a.cf", "");
        (void)temp_tree_path(&tree, "etc/unitpost/main.cf.d/b.cf", path, sizeof(path));
        ck_assert_int_eq(symlink("/nonexistent/file", path), 0);
        expect_error("/etc/unitpost/main.cf.d/b.cf: No such file or directory");
}
END_TEST

START_TEST(a_file_without_permission_is_an_error) {
        char path[64];
        int r;

        main_cf("mail_name = x\n");
        (void)temp_tree_path(&tree, "etc/unitpost/main.cf", path, sizeof(path));
        ck_assert_int_eq(chmod(path, 0), 0);
        ck_assert_int_eq(chmod(tree.root, 0755), 0);
        ck_assert(geteuid() != 0 || seteuid(65534) == 0);
        r = load_as(NULL, NULL);
        ck_assert(getuid() != 0 || seteuid(0) == 0);
        ck_assert_int_eq(r, -EACCES);
        ck_assert_str_eq(buf_cstr(&error), "/etc/unitpost/main.cf: Permission denied");
}
END_TEST

START_TEST(too_many_other_names_are_an_error) {
        Buf text = BUF_INIT(CONFIG_FILE_MAX_BYTES);

        for (int i = 0; i <= CONFIG_EXTRAS_MAX; i++)
                (void)buf_printf(&text, "x%d=\n", i);
        ck_assert_int_eq(text.error, 0);
        temp_tree_write(&tree, "etc/unitpost/main.cf", buf_str(&text));
        buf_deinit(&text);
        expect_error("/etc/unitpost/main.cf: more than 100000 settings of other names");
}
END_TEST

START_TEST(lists_are_searched_by_whole_words) {
        ck_assert(config_list_has("a.example, B.example\tc", STR("b.EXAMPLE")));
        ck_assert(config_list_has("a,b", STR("a")));
        ck_assert(!config_list_has("a.example", STR("example")));
        ck_assert(!config_list_has("", STR("")));
        ck_assert(!config_list_has("a", STR("")));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("config");
        TCase *tcase = tcase_create("load");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, rows_are_sorted_and_their_defaults_are_valid);
        tcase_add_test(tcase, an_empty_etc_gives_the_built_in_values);
        tcase_add_loop_test(tcase, the_later_layer_wins, 0, ARRAY_LEN(layer_files));
        tcase_add_test(tcase, an_override_wins_over_every_file);
        tcase_add_test(tcase, a_bad_override_is_named);
        tcase_add_test(tcase, a_service_name_is_no_path);
        tcase_add_test(tcase, the_last_setting_of_a_name_wins);
        tcase_add_test(tcase, values_expand_over_all_layers);
        tcase_add_test(tcase, a_loop_names_its_parameter_file_and_line);
        tcase_add_test(tcase, an_error_in_a_default_says_so);
        tcase_add_test(tcase, myhostname_is_the_systems_with_localdomain_where_it_has_no_dot);
        tcase_add_test(tcase, explicit_names_win);
        tcase_add_test(tcase, myorigin_may_name_a_file_as_in_debian);
        tcase_add_loop_test(tcase, each_type_takes_its_values_and_names_its_bounds, 0,
                            ARRAY_LEN(value_cases));
        tcase_add_test(tcase, booleans_are_yes_and_no_in_any_case);
        tcase_add_test(tcase, unknown_names_are_warned_about_once);
        tcase_add_test(tcase, a_main_cf_that_went_is_an_error_at_a_reload_only);
        tcase_add_test(tcase, another_directory_is_all_layers);
        tcase_add_test(tcase, each_value_has_an_origin);
        tcase_add_test(tcase, a_service_knows_its_name);
        tcase_add_test(tcase, a_low_compatibility_level_brings_old_defaults_and_says_so);
        tcase_add_test(tcase, a_name_that_is_set_nowhere_is_warned_about);
        tcase_add_test(tcase, deprecated_and_read_only_names_are_warned_about);
        tcase_add_test(tcase, a_comment_behind_a_value_is_warned_about);
        tcase_add_test(tcase, a_misspelt_name_is_told_the_nearest_one);
        tcase_add_test(tcase, a_line_that_continues_nothing_is_taken_and_warned_about);
        tcase_add_test(tcase, service_defined_numbers_fall_back_and_have_bounds);
        tcase_add_test(tcase, a_malformed_line_is_an_error_with_its_number);
        tcase_add_test(tcase, names_that_cannot_be_host_names_are_errors);
        tcase_add_test(tcase, a_file_too_large_is_an_error);
        tcase_add_test(tcase, what_cannot_be_read_is_an_error);
        tcase_add_test(tcase, a_drop_in_that_leads_nowhere_is_an_error);
        tcase_add_test(tcase, a_file_without_permission_is_an_error);
        tcase_add_test(tcase, too_many_other_names_are_an_error);
        tcase_add_test(tcase, lists_are_searched_by_whole_words);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
