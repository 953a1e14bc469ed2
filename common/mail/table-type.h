#pragma once

/*
 * Inside of the tables: what the implementations share. Nothing outside of common/mail/table*.c
 * includes this.
 */

#include "common/mail/table.h"

struct Table {
        const TableType *type;
        char *spec; /* "type:name" */
        Str name;   /* behind the colon; in spec, so a NUL follows it */
        char *index_dir;
        TableContext context;
        bool may_block;        /* asking it here may wait for somebody: set by table_new() from its
                                * type, and by open() of a type that it depends on the name of */
        bool is_pattern;       /* table_is_pattern(); the same */
        unsigned depth;        /* 1; one more than that of the table that it is a part of */
        bool missing_is_empty; /* table_allow_missing() */
        bool has_owner;        /* table_owner(); lookup() of the type sets both, or neither */
        uid_t owner;
        void *data; /* the type's own */
};

extern const TableType table_type_cidr;
extern const TableType table_type_environ;
extern const TableType table_type_fail;
extern const TableType table_type_inline;
extern const TableType table_type_internal;
extern const TableType table_type_pcre;
extern const TableType table_type_pipemap;
extern const TableType table_type_proxy;
extern const TableType table_type_randmap;
extern const TableType table_type_regexp;
extern const TableType table_type_static;
extern const TableType table_type_tdb;
extern const TableType table_type_texthash;
extern const TableType table_type_unionmap;
extern const TableType table_type_unix;

/* How often at most a reader looks whether there is a new index ... */
#define TABLE_CHECK_USEC USEC_PER_SEC
/* ... and whether a source changed: an edit counts for the mail that comes this much later. */
#define TABLE_SOURCE_CHECK_USEC (10 * USEC_PER_MSEC)

/* What is in the braces around TEXT, without white space at its ends; TEXT where there are none. */
Str table_unbrace(Str text);

/* Bytes of the "{...}" at the start of TEXT, 0 when it never closes. */
size_t table_braced_len(Str text);

/*
 * Tables may be made of tables this deep; each takes part in deciding whether the whole may block
 * and is of patterns.
 */
#define TABLE_DEPTH_MAX 5

/* For open(): make SPEC, a part of TABLE, with its context. As table_new(). */
int table_new_member(Table *table, Str spec, Table **ret, const char **ret_reason);

/* The last lookup is answered with what UID wrote. */
void table_set_owner(Table *table, uid_t uid);

/* Bytes of a spec in such a text: one with content in it may be long, and hide what went wrong. */
#define TABLE_SPEC_SHOWN 256

/* Reply TABLE_ERROR with a text of at most 1024 bytes. */
void table_reply_error(TableReply reply, void *userdata, const char *format, ...) _printf_(3, 4);
