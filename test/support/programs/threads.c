/*
 * Thread storage, what dl_iterate_phdr and the auxiliary vector show, memory behind brk, the rights of stacks and of RELRO, for
 * every libc. Standard output has what no edit may change, standard error what an edit adds: PT_LOADs and notes of other
 * owners than GNU.
 */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static __thread int own = 41;
static __thread char zeros[5000];
static char bss[300000];
/* Relocated at run time in a PIE, and read-only from then on. */
static const char *const names[] = {"one", "two", "three"};

static void rights(const char *what, const void *of) {
  char line[512], shown[8];
  unsigned long from, to, here = (unsigned long)of;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx %7s", &from, &to, shown) == 3 && here >= from && here < to) printf("%s %s\n", what, shown);
  fclose(maps);
}

/* Notes padded to `unit` from one address to another: told where `tell` is set. Answers whether they end there. */
static int notes(const char *at, const char *end, size_t unit, int tell) {
  while (at + 12 <= end) {
    const unsigned *n = (const unsigned *)at;
    const char *desc = at + 12 + ((n[0] + 3) & ~3u);
    if (tell && !strcmp(at + 12, "GNU")) printf("GNU %u %u %02x\n", n[2], n[1], desc[0] & 255);
    else if (tell) fprintf(stderr, "%s %x %.*s\n", at + 12, n[2], (int)n[1], desc);
    if (desc + n[1] > end) return 0;
    at += (desc - at + n[1] + unit - 1) & ~(unit - 1);
  }
  return at >= end;
}

static int show(struct dl_phdr_info *info, size_t size, void *data) {
  int tls = 0, phdr = 1;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    char *at = (char *)(info->dlpi_addr + p->p_vaddr), *end = at + p->p_memsz;
    tls += p->p_type == PT_TLS;
    if (p->p_type == PT_LOAD) fprintf(stderr, "PT_LOAD\n");
    if (p->p_type == PT_PHDR) phdr = at == (char *)info->dlpi_phdr && p->p_memsz >= info->dlpi_phnum * sizeof *p;
    /* mold puts notes padded to 4 bytes into a PT_NOTE that is aligned to 8. */
    if (p->p_type == PT_NOTE && !notes(at, end, p->p_align == 8 && notes(at, end, 8, 0) ? 8 : 4, 1))
      printf("a note ends behind its PT_NOTE\n");
  }
  printf("tls %d, PT_PHDR %d\n", tls, phdr);
  printf("AT_PHDR %d, AT_PHNUM %d\n", (char *)getauxval(AT_PHDR) == (char *)info->dlpi_phdr,
         getauxval(AT_PHNUM) == info->dlpi_phnum);
  return 1;
}

static void *thread(void *unused) {
  rights("stack of a thread", &unused);
  for (int i = 0; i < (int)sizeof zeros; i++) if (zeros[i] != 0) printf("not zero: %d\n", i);
  printf("own %d\n", ++own);
  return 0;
}

int main(int argc, char **argv) {
  pthread_t id;
  rights("stack", &id);
  rights(names[2], names);
  dl_iterate_phdr(show, 0);
#ifdef __GLIBC__
  memset(sbrk(1 << 20), 1, 1 << 20);
#endif
  for (int i = 0; i < 100; i++) memset(malloc(i * 999), 2, i * 999);
  for (int i = 0; i < (int)sizeof bss; i++) if (bss[i] != 0) return 1;
  pthread_create(&id, 0, thread, 0);
  pthread_join(id, 0);
  /* With an argument it leaves a core file. */
  if (argc > 1) abort();
  return own;
}
