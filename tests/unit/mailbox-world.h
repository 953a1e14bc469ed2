#pragma once

/*
 * A mail spool as Debian has it, a user's home beside it, and deliveries into both: shared by the
 * tests of mailbox.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "services/local/identity.h"
#include "services/local/mailbox.h"
#include "tests/unit/temp-tree.h"

#define USER_ID  54321
#define MAIL_GID 8

static TempTree tree;
static char spool[64], home[64];
static Mailboxes mailboxes;
static const LocalRights joe = { .name = "joe", .uid = USER_ID, .gid = USER_ID };

static inline const char *path_of(const char *name) {
        static char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", spool, name);
        return path;
}

static inline const char *home_path(const char *name) {
        static char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", home, name);
        return path;
}

static inline void world_setup(void) {
        temp_tree_make(&tree);
        ck_assert_int_eq(chmod(tree.root, 0755), 0);
        ck_assert_int_eq(mkdir(temp_tree_path(&tree, "mail", spool, sizeof(spool)), 0755), 0);
        ck_assert_int_eq(mkdir(temp_tree_path(&tree, "home", home, sizeof(home)), 0755), 0);
        ck_assert_int_eq(chown(home, USER_ID, USER_ID), 0);
        ck_assert_int_eq(chown(spool, 0, MAIL_GID), 0);
        ck_assert_int_eq(chmod(spool, 02775), 0);
        ck_assert_int_eq(identity_init(), 0);
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)umask(077);
        mailboxes = (Mailboxes){
                .spool_directory = spool,
                .hostname = "mx.example.org",
                .delivered_to_kinds = COPY_KIND_FILE,
                .strict_ownership = true,
                .biff = BIFF_INIT,
                .lock = { .use_fcntl = true,
                          .use_dotlock = true,
                          .wait_usec = USEC_PER_SEC / 5,
                          .stale_usec = 500 * USEC_PER_SEC },
                .out = BUF_INIT(COPY_BLOCK_BYTES),
        };
}

static inline void world_teardown(void) {
        mailboxes_deinit(&mailboxes);
        temp_tree_remove(&tree);
}

/* A descriptor as qmgr hands it over: the content is somewhere inside a file. */
static inline int message_new(Str content) {
        int fd = memfd_create("message", MFD_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_pwrite_all(fd, content.data, content.len, 100), 0);
        return fd;
}

static inline Dsn deliver_to(const MailboxTarget *target, int fd, size_t content_size) {
        Delivery delivery = {
                .request = { .content_offset = 100, .content_size = content_size },
                .message_fd = fd,
        };
        CopyEnvelope envelope = { .sender = STR("ann@example.org"),
                                  .delivered = STR("joe@example.org") };
        Dsn dsn = { 0 };

        mailbox_deliver(&mailboxes, target, &delivery, &envelope, &dsn);
        (void)close(fd);
        ck_assert_int_eq(geteuid(), 0);
        ck_assert_int_eq(getegid(), 0);
        return dsn;
}

static inline Dsn deliver_fd(const LocalRights *user, int fd, size_t content_size) {
        Buf path _cleanup_(buf_deinit) = BUF_INIT(256);
        MailboxTarget target = { .kind = MAILBOX_SPOOL, .rights = user };

        ck_assert_int_eq(mailbox_append_spool_path(&mailboxes, user->name, &path), 0);
        target.path = buf_cstr(&path);
        return deliver_to(&target, fd, content_size);
}

static inline void make_file(const char *name, const char *text, uid_t owner, mode_t mode) {
        int fd = open(path_of(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_all(fd, text, strlen(text)), 0);
        ck_assert_int_eq(fchown(fd, owner, MAIL_GID), 0);
        ck_assert_int_eq(fchmod(fd, mode), 0);
        (void)close(fd);
}

static inline void check_content(const char *name, const char *expected) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(1 << 20);

        ck_assert_int_eq(file_read(AT_FDCWD, path_of(name), &buf), 0);
        ck_assert_msg(str_equal(buf_str(&buf), str_from_cstr(expected)), "%.*s",
                      STR_FMT(buf_str(&buf)));
}

static inline void check_dsn(Dsn dsn, DsnStatus status, const char *code, const char *word) {
        ck_assert_msg(dsn.status == status && strcmp(dsn.code, code) == 0 &&
                              strstr(dsn.text, word) != NULL,
                      "%d %s '%s'", dsn.status, dsn.code, dsn.text);
}
