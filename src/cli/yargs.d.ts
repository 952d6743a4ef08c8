/** Two methods that yargs documents and its types lack. */
import 'yargs';

declare module 'yargs' {
  interface Argv<T> {
    usageConfiguration(configuration: { readonly 'hide-types'?: boolean }): this;
    getOptions(): {
      readonly key: Readonly<Record<string, boolean>>;
      /** Values of the options that have a choice. */
      readonly choices?: Readonly<Record<string, unknown>>;
    };
  }
}
