/** Script and style of the page of `layout --html`, which scripts/web/map-page.mjs bundles. */
declare module 'xen-elfpatch:map-page' {
  export const script: string;
  export const style: string;
  export const scriptHash: string;
  export const styleHash: string;
}
