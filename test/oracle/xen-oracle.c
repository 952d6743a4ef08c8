/*
 * What Xen's own code thinks of many images at once: the note parser that the hypervisor and the toolstack share (libelf,
 * as libxenguest exports it) and the toolstack's domain builder up to xc_dom_parse_image. No hypervisor, no root.
 *
 * usage: xen-oracle BATCH
 *   BATCH holds images, each a little-endian 32-bit length and its bytes. One line per image goes to stdout:
 *   TAB-separated NAME=VALUE, numbers in hexadecimal, strings as hexadecimal bytes.
 *   Each image is judged in a process of its own with a time limit, so that none can take the others down.
 *
 * gcc -O1 -Wall -o xen-oracle xen-oracle.c -lxenguest -lxenctrl -lxentoollog      (Debian: libxen-dev, 4.17)
 * gcc -O1 -Wall -DPARSER_OF=414 -o xen-oracle xen-oracle.c libxenguest.a          (another release, the parser alone)
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xen/features.h>
#include <xenguest.h>

#ifdef PARSER_OF
#define RELEASE PARSER_OF
/* What glibc 2.38 and later make of strtoull, for libraries that were built with it. */
unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
    return strtoull(text, end, base);
}
#else
#define RELEASE 417
#endif

/* Exported by the library, declared in no installed header. struct elf_binary stays opaque. */
struct elf_binary;
struct elf_dom_parms;
int elf_init(struct elf_binary *, const char *, size_t);
void elf_set_log(struct elf_binary *, void (*)(struct elf_binary *, void *, bool, const char *, va_list), void *, bool);
void elf_parse_binary(struct elf_binary *);
int elf_xen_parse(struct elf_binary *, struct elf_dom_parms *, bool);
const char *elf_check_broken(const struct elf_binary *);

/* The parameter block as the parser of that release fills it (xen/include/xen/libelf.h). */
struct parameters {
    uintptr_t guest_info, note_start, note_end;
    struct { uint32_t kind; const char *name; uint64_t value; } notes[RELEASE < 419 ? 19 : 20];
    char guest_os[16], guest_ver[16], xen_ver[16], loader[16];
    uint32_t pae;
    bool bsd_symtab, unmapped_initrd;
    uint64_t virt_base, virt_entry, virt_hypercall, virt_hv_start_low, p2m_base, paddr_offset;
    uint32_t supported, required, phys_entry;
#if RELEASE >= 419
    uint32_t reloc_align, reloc_min, reloc_max;
#endif
    uint64_t kstart, kend;
};

enum { LINE_LIMIT = 1 << 16, SECONDS = 20 };

static char line[LINE_LIMIT];
static size_t used;
static char last_error[512];

static void put(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(line + used, sizeof(line) - used, format, list);
    va_end(list);
    used += n;
    if (used >= sizeof(line))
        used = sizeof(line) - 1;
}

static void put_text(const char *name, const char *text, size_t most)
{
    put("\t%s=", name);
    for (size_t i = 0; i < most && text[i]; i++)
        put("%02x", (unsigned char)text[i]);
}

/* Only errors are kept; an image may ask for millions of lines. */
static void on_message(struct elf_binary *elf, void *data, bool is_error, const char *format, va_list list)
{
    if (is_error)
        vsnprintf(last_error, sizeof(last_error), format, list);
}

#ifndef PARSER_OF
static void on_log(xentoollog_logger *logger, xentoollog_level level, int number, const char *context,
                   const char *format, va_list list)
{
    if (level >= XTL_ERROR)
        vsnprintf(last_error, sizeof(last_error), format, list);
}
#endif

static void parse(const char *image, size_t size, bool hvm)
{
    static union { char bytes[65536]; uint64_t align; } elf, parms;
    const char *name = hvm ? "hvm" : "pv";
    memset(&elf, 0, sizeof(elf));
    memset(&parms, 0, sizeof(parms));
    last_error[0] = 0;
    if (elf_init((void *)&elf, image, size)) {
        put("\t%s=init", name);
        return;
    }
    elf_set_log((void *)&elf, on_message, NULL, true);
    elf_parse_binary((void *)&elf);
    int rc = elf_xen_parse((void *)&elf, (void *)&parms, hvm);
    const char *broken = elf_check_broken((void *)&elf);
    const struct parameters *p = (void *)&parms;
    put("\t%s=%s", name, rc ? "refused" : "accepted");
    put_text(hvm ? "hvm.error" : "pv.error", last_error, sizeof(last_error));
    put_text(hvm ? "hvm.broken" : "pv.broken", broken ? broken : "", 100);
    put("\t%s.pae=%x\t%s.bsd=%x\t%s.initrd=%x", name, p->pae, name, p->bsd_symtab, name, p->unmapped_initrd);
    put("\t%s.base=%lx\t%s.entry=%lx\t%s.page=%lx", name, p->virt_base, name, p->virt_entry, name, p->virt_hypercall);
    put("\t%s.low=%lx\t%s.p2m=%lx\t%s.offset=%lx", name, p->virt_hv_start_low, name, p->p2m_base, name, p->paddr_offset);
    put("\t%s.supported=%x\t%s.required=%x\t%s.phys=%x", name, p->supported, name, p->required, name, p->phys_entry);
    put("\t%s.kstart=%lx\t%s.kend=%lx\t%s.note17=%x", name, p->kstart, name, p->kend, name, p->notes[17].kind);
#if RELEASE >= 419
    put("\t%s.reloc=%x,%x,%x", name, p->reloc_align, p->reloc_min, p->reloc_max);
#endif
    put_text(hvm ? "hvm.os" : "pv.os", p->guest_os, 16);
    put_text(hvm ? "hvm.ver" : "pv.ver", p->guest_ver, 16);
    put_text(hvm ? "hvm.xen" : "pv.xen", p->xen_ver, 16);
    put_text(hvm ? "hvm.loader" : "pv.loader", p->loader, 16);
}

#ifndef PARSER_OF
static void build(const char *image, size_t size, bool hvm)
{
    static xentoollog_logger logger = { .vmessage = on_log };
    const char *name = hvm ? "domhvm" : "dompv";
    last_error[0] = 0;
    xc_interface *xen = xc_interface_open(&logger, &logger, XC_OPENFLAG_DUMMY);
    struct xc_dom_image *dom = xen ? xc_dom_allocate(xen, "", NULL) : NULL;
    if (!dom) {
        put("\t%s=trouble", name);
        return;
    }
    dom->container_type = hvm ? XC_DOM_HVM_CONTAINER : XC_DOM_PV_CONTAINER;
    strncpy(dom->xen_caps, "xen-3.0-x86_64 xen-3.0-x86_32p hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64",
            sizeof(dom->xen_caps) - 1);
    int rc = xc_dom_kernel_mem(dom, image, size) || xc_dom_parse_image(dom);
    put("\t%s=%s", name, rc ? "refused" : "accepted");
    put_text(hvm ? "domhvm.error" : "dompv.error", last_error, sizeof(last_error));
    /* struct xc_dom_loader begins with its name. */
    put_text(hvm ? "domhvm.by" : "dompv.by", dom->kernel_loader ? *(char **)dom->kernel_loader : "", 64);
    if (rc)
        return;
    put_text(hvm ? "domhvm.type" : "dompv.type", dom->guest_type ? dom->guest_type : "", 64);
    put("\t%s.start=%lx\t%s.end=%lx\t%s.active=%x", name, dom->kernel_seg.vstart, name, dom->kernel_seg.vend, name,
        dom->f_active[0]);
}
#endif

static void judge(const char *image, size_t size, int out)
{
    struct rlimit memory = { 1L << 31, 1L << 31 };
    setrlimit(RLIMIT_AS, &memory);
    alarm(SECONDS);
    parse(image, size, false);
    parse(image, size, true);
#ifndef PARSER_OF
    build(image, size, false);
    build(image, size, true);
#endif
    for (size_t done = 0; done < used;) {
        ssize_t n = write(out, line + done, used - done);
        if (n <= 0)
            _exit(2);
        done += n;
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    struct stat stat;
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &stat)) {
        perror(argc == 2 ? argv[1] : "usage: xen-oracle BATCH");
        return 2;
    }
    const char *batch = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (batch == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    int null = open("/dev/null", O_WRONLY);
    size_t at = 0;
    for (unsigned index = 0; at + 4 <= (size_t)stat.st_size; index++) {
        uint32_t size;
        memcpy(&size, batch + at, 4);
        at += 4;
        if (size > stat.st_size - at)
            return 2;
        /* A copy that ends where the image ends: what lies behind must not be the next image. */
        char *image = malloc(size ? size : 1);
        memcpy(image, batch + at, size);
        at += size;
        printf("image=%x", index);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            dup2(null, 2);
            judge(image, size, 1);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) < 0)
            return 2;
        if (WIFSIGNALED(status))
            printf("\tdied=%x", WTERMSIG(status));
        putchar('\n');
        fflush(stdout);
        free(image);
    }
    return 0;
}
