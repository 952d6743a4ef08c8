/** A method that yargs documents and its types lack. */
import 'yargs';

declare module 'yargs' {
  interface Argv<T> {
    usageConfiguration(configuration: { readonly 'hide-types'?: boolean }): this;
  }
}
