/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A C program that knows the library by declarations of its own, as one compiled on Lustre does: makes a
 * file with components, reads it back, sets its layout on another file.
 * Usage: layout_probe DIRECTORY */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

struct llapi_layout;
struct llapi_layout *llapi_layout_alloc(void);
void llapi_layout_free(struct llapi_layout *layout);
struct llapi_layout *llapi_layout_get_by_fd(int fd, int flags);
struct llapi_layout *llapi_layout_get_by_path(const char *path, int flags);
int llapi_layout_stripe_count_set(struct llapi_layout *layout, uint64_t count);
int llapi_layout_stripe_count_get(const struct llapi_layout *layout, uint64_t *count);
int llapi_layout_stripe_size_set(struct llapi_layout *layout, uint64_t size);
int llapi_layout_stripe_size_get(const struct llapi_layout *layout, uint64_t *size);
int llapi_layout_pattern_set(struct llapi_layout *layout, uint64_t pattern);
int llapi_layout_pattern_get(const struct llapi_layout *layout, uint64_t *pattern);
int llapi_layout_comp_extent_set(struct llapi_layout *layout, uint64_t start, uint64_t end);
int llapi_layout_comp_extent_get(const struct llapi_layout *layout, uint64_t *start, uint64_t *end);
int llapi_layout_comp_flags_get(const struct llapi_layout *layout, uint32_t *flags);
int llapi_layout_comp_id_get(const struct llapi_layout *layout, uint32_t *id);
int llapi_layout_comp_add(struct llapi_layout *layout);
int llapi_layout_comp_iterate(struct llapi_layout *layout, int (*callback)(struct llapi_layout *, void *), void *data);
int llapi_layout_file_create(const char *path, int open_flags, int mode, const struct llapi_layout *layout);
int llapi_layout_file_open(const char *path, int open_flags, mode_t mode, const struct llapi_layout *layout);
bool llapi_layout_is_composite(struct llapi_layout *layout);

#define MIB (1ULL << 20)
#define END_OF_FILE UINT64_MAX
#define PATTERN_MDT 2ULL
#define ON_ALL_OSTS (0x1000000000000001ULL + 2)

#define MUST(condition)                                                                      \
	do {                                                                                 \
		if (!(condition)) {                                                          \
			printf("line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
			return 1;                                                            \
		}                                                                            \
	} while (0)

static int print_component(struct llapi_layout *layout, void *data)
{
	uint64_t start = 0, end = 0, count = 0, size = 0, pattern = 0;
	uint32_t id = 0, flags = 0;

	MUST(llapi_layout_comp_extent_get(layout, &start, &end) == 0);
	MUST(llapi_layout_stripe_count_get(layout, &count) == 0);
	MUST(llapi_layout_stripe_size_get(layout, &size) == 0);
	MUST(llapi_layout_pattern_get(layout, &pattern) == 0);
	MUST(llapi_layout_comp_id_get(layout, &id) == 0);
	MUST(llapi_layout_comp_flags_get(layout, &flags) == 0);
	printf("%s%u: %lld+%lld count %#llx size %llu pattern %llu flags %#x\n", (const char *)data, id,
	       (long long)start, (long long)end, (unsigned long long)count, (unsigned long long)size,
	       (unsigned long long)pattern, flags);
	return 0;
}

int main(int argc, char **argv)
{
	struct llapi_layout *layout, *read;
	int fd;

	MUST(argc == 2 && chdir(argv[1]) == 0);
	layout = llapi_layout_alloc();
	MUST(layout != NULL && !llapi_layout_is_composite(layout));
	MUST(llapi_layout_comp_extent_set(layout, 0, MIB) == 0);
	MUST(llapi_layout_pattern_set(layout, PATTERN_MDT) == 0);
	MUST(llapi_layout_stripe_size_set(layout, MIB) == 0);
	MUST(llapi_layout_comp_add(layout) == 0);
	MUST(llapi_layout_comp_extent_set(layout, MIB, END_OF_FILE) == 0);
	MUST(llapi_layout_stripe_count_set(layout, ON_ALL_OSTS) == 0);
	fd = llapi_layout_file_create("made", O_RDWR, 0640, layout);
	MUST(fd >= 0);
	MUST(llapi_layout_file_create("made", O_RDWR, 0640, layout) == -1 && errno == EEXIST);
	read = llapi_layout_get_by_fd(fd, 0);
	MUST(read != NULL && llapi_layout_comp_iterate(read, print_component, "empty ") == 0);
	llapi_layout_free(read);
	MUST(pwrite(fd, "x", 1, MIB) == 1 && close(fd) == 0);
	read = llapi_layout_get_by_path("made", 0);
	MUST(read != NULL && llapi_layout_comp_iterate(read, print_component, "grown ") == 0);
	fd = llapi_layout_file_open("copy", O_CREAT | O_RDWR, 0600, read);
	MUST(fd >= 0 && close(fd) == 0);
	llapi_layout_free(read);
	read = llapi_layout_get_by_path("copy", 0);
	MUST(read != NULL && llapi_layout_comp_iterate(read, print_component, "copy ") == 0);
	llapi_layout_free(read);
	llapi_layout_free(layout);
	return 0;
}
