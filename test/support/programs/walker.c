/*
 * A program without a libc, for every machine that clang and qemu-user know: what AT_PHDR, AT_PHNUM, PT_PHDR, PT_TLS and the
 * PT_NOTEs lead to, and the memory behind brk. Standard output has what no edit may change, standard error what an edit adds:
 * PT_LOADs, and notes of other owners than GNU.
 */
typedef unsigned long word;
typedef unsigned char byte;

#if __SIZEOF_POINTER__ == 8
struct phdr { unsigned type, flags; word offset, vaddr, paddr, filesz, memsz, align; };
struct ehdr { byte ident[16]; unsigned short type, machine; unsigned version; word entry, phoff, shoff;
              unsigned flags; unsigned short ehsize, phentsize, phnum; };
#else
struct phdr { unsigned type; word offset, vaddr, paddr, filesz, memsz; unsigned flags; word align; };
struct ehdr { byte ident[16]; unsigned short type, machine; unsigned version; word entry, phoff, shoff;
              unsigned flags; unsigned short ehsize, phentsize, phnum; };
#endif

#if defined(__x86_64__)
enum { WRITE = 1, BRK = 12, EXIT = 231 };
static word call(word number, word a, word b, word c) {
  word result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call walk\n");
#elif defined(__i386__)
enum { WRITE = 4, BRK = 45, EXIT = 252 };
static word call(word number, word a, word b, word c) {
  word result;
  /* ebx may hold the address of the GOT. */
  __asm__ volatile("push %%ebx\n mov %2, %%ebx\n int $0x80\n pop %%ebx"
                   : "=a"(result) : "a"(number), "S"(a), "c"(b), "d"(c) : "memory");
  return result;
}
__asm__(".globl _start\n_start: mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call walk\n");
#elif defined(__aarch64__)
enum { WRITE = 64, BRK = 214, EXIT = 94 };
static word call(word number, word a, word b, word c) {
  register word x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
__asm__(".globl _start\n_start: mov x0, sp\n bl walk\n");
#elif defined(__arm__)
enum { WRITE = 4, BRK = 45, EXIT = 248 };
static word call(word number, word a, word b, word c) {
  register word r7 __asm__("r7") = number, r0 __asm__("r0") = a, r1 __asm__("r1") = b, r2 __asm__("r2") = c;
  __asm__ volatile("svc #0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
  return r0;
}
__asm__(".globl _start\n_start: mov r0, sp\n bl walk\n");
#elif defined(__riscv)
enum { WRITE = 64, BRK = 214, EXIT = 94 };
static word call(word number, word a, word b, word c) {
  register word a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
  return a0;
}
__asm__(".globl _start\n_start: mv a0, sp\n call walk\n");
#elif defined(__powerpc64__)
enum { WRITE = 4, BRK = 45, EXIT = 234 };
static word call(word number, word a, word b, word c) {
  register word r0 __asm__("r0") = number, r3 __asm__("r3") = a, r4 __asm__("r4") = b, r5 __asm__("r5") = c;
  __asm__ volatile("sc" : "+r"(r3), "+r"(r0), "+r"(r4), "+r"(r5)
                   : : "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "memory");
  return r3;
}
/* r12 has the entry's address, from which that of the table of contents follows. */
__asm__(".globl _start\n_start: addis 2, 12, .TOC.-_start@ha\n addi 2, 2, .TOC.-_start@l\n mr 3, 1\n li 0, 0\n"
        " stdu 0, -128(1)\n bl walk\n nop\n");
#elif defined(__s390x__)
enum { WRITE = 4, BRK = 45, EXIT = 248 };
static word call(word number, word a, word b, word c) {
  register word r1 __asm__("r1") = number, r2 __asm__("r2") = a, r3 __asm__("r3") = b, r4 __asm__("r4") = c;
  __asm__ volatile("svc 0" : "+r"(r2) : "r"(r1), "r"(r3), "r"(r4) : "memory");
  return r2;
}
__asm__(".globl _start\n_start: lgr %r2, %r15\n aghi %r15, -160\n brasl %r14, walk\n");
#elif defined(__mips__)
#if __SIZEOF_POINTER__ == 8
enum { WRITE = 5001, BRK = 5012, EXIT = 5205 };
#define ADD "daddiu"
#else
enum { WRITE = 4004, BRK = 4045, EXIT = 4246 };
#define ADD "addiu"
#endif
static word call(word number, word a, word b, word c) {
  register word v0 __asm__("$2") = number, a0 __asm__("$4") = a, a1 __asm__("$5") = b, a2 __asm__("$6") = c;
  __asm__ volatile("syscall" : "+r"(v0), "+r"(a0), "+r"(a1), "+r"(a2)
                   : : "$1", "$3", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25", "memory");
  return v0;
}
__asm__(".globl _start\n.set noreorder\n_start: move $4, $29\n " ADD " $29, $29, -64\n jal walk\n nop\n.set reorder\n");
#endif

enum { PT_LOAD = 1, PT_NOTE = 4, PT_PHDR = 6, PT_TLS = 7, PT_GNU_STACK = 0x6474e551, PT_GNU_RELRO = 0x6474e552 };
enum { AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_ENTRY = 9, PF_X = 1 };
enum { MAGIC = 0x5a17, GNU = 0x554e47 };

/* PT_TLS has it; nobody sets up a thread here, so it is read as the template that it is. */
__attribute__((used)) __thread unsigned own = MAGIC;
/* Not in the file, so that the last PT_LOAD ends in .bss. */
static byte bss[0x6000];
extern char __ehdr_start[] __attribute__((visibility("hidden")));
extern char _start[] __attribute__((visibility("hidden")));

static void text(word to, const char *words) {
  word length = 0;
  while (words[length]) length++;
  call(WRITE, to, (word)words, length);
}

static void number(word to, word value) {
  char digits[20];
  int at = 19;
  digits[at] = 0;
  do digits[--at] = "0123456789abcdef"[value & 15]; while (value >>= 4);
  text(to, digits + at);
}

static void say(const char *words, word value) {
  text(1, words);
  number(1, value);
  text(1, "\n");
}

/* Notes padded to `unit` from one address to another: told where `tell` is set. Answers whether they end there. */
static int notes(word at, word end, word unit, int tell) {
  while (at + 12 <= end) {
    const unsigned *n = (void *)at;
    word desc = at + 12 + ((n[0] + 3) & ~3UL);
    const byte *owner = (void *)(at + 12);
    int of_gnu = n[0] == 4 && owner[0] == 'G' && owner[1] == 'N' && owner[2] == 'U';
    if (tell && of_gnu) {
      say("note of GNU ", n[2]);
      say(" its first byte ", *(byte *)desc);
    } else if (tell) {
      text(2, (char *)owner);
      text(2, " ");
      number(2, n[2]);
      text(2, " ");
      call(WRITE, 2, desc, n[1]);
      text(2, "\n");
    }
    if (desc + n[1] > end) return 0;
    at += (desc + n[1] - at + unit - 1) & ~(unit - 1);
  }
  return at >= end;
}

__attribute__((used)) void walk(word *stack) {
  word *at = stack + 1 + stack[0] + 1, table = 0, count = 0, size = 0, entry = 0, first = 0, i;
  while (*at++) {}
  for (; at[0]; at += 2) {
    if (at[0] == AT_PHDR) table = at[1];
    if (at[0] == AT_PHENT) size = at[1];
    if (at[0] == AT_PHNUM) count = at[1];
    if (at[0] == AT_ENTRY) entry = at[1];
  }
  const volatile struct ehdr *file = (void *)__ehdr_start;
  const struct phdr *p = (void *)table;
  say("AT_PHENT ", size == sizeof *p);
  say("AT_PHNUM ", count == file->phnum);
  say("AT_PHDR is where e_phoff is in the first PT_LOAD ", table == (word)file + file->phoff);
  say("AT_ENTRY ", entry == (word)_start);
  for (i = 0; i < count && p[i].type != PT_LOAD; i++) {}
  first = (word)file - (i < count ? p[i].vaddr - p[i].offset : 0);
  for (i = 0; i < count; i++) {
    word here = first + p[i].vaddr;
    if (p[i].type == PT_LOAD) text(2, "PT_LOAD\n");
    if (p[i].type == PT_PHDR) say("PT_PHDR ", here == table && p[i].memsz >= count * size);
    if (p[i].type == PT_TLS) say("PT_TLS ", *(unsigned *)here);
    if (p[i].type == PT_GNU_STACK) say("PT_GNU_STACK ", p[i].flags);
    if (p[i].type == PT_GNU_RELRO) say("PT_GNU_RELRO ", p[i].memsz);
    if (p[i].type == PT_NOTE) {
      /* mold puts notes padded to 4 bytes into a PT_NOTE that is aligned to 8. */
      word unit = p[i].align == 8 && notes(here, here + p[i].memsz, 8, 0) ? 8 : 4;
      if (!notes(here, here + p[i].memsz, unit, 1)) text(1, "a note ends behind its PT_NOTE\n");
    }
  }
  for (i = 0; i < sizeof bss; i++) if (bss[i]) { say("not zero in .bss ", i); break; }
  word end = call(BRK, 0, 0, 0), more = call(BRK, end + 0x30000, 0, 0);
  say("brk grows by ", more - end);
  for (word byte_at = end; byte_at < more; byte_at++) {
    if (*(byte *)byte_at) { say("not zero behind brk ", byte_at - end); break; }
    *(byte *)byte_at = 1;
  }
  for (i = 0; i < count; i++)
    if (p[i].type == PT_LOAD && first + p[i].vaddr + p[i].memsz > end && first + p[i].vaddr < more) text(1, "brk is inside\n");
  call(EXIT, 7, 0, 0);
  for (;;) {}
}
