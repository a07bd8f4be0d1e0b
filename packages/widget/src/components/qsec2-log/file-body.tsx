import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { LAZY } from '../../lazy-elements';
import type { MessageItem } from '../../store/view';
import { h } from '../../vdom';

// A name, so that what shows files is not bundled with the panel.
const { file: File, voice: Voice } = LAZY;

interface FileBodyProps {
  item: MessageItem;
  t: Dictionary;
  /** Absent until what shows files is loaded: until then a file is its name. */
  media: MediaDictionary | undefined;
  format: Format;
  onCancel: () => void;
}

export const FileBody: FunctionalComponent<FileBodyProps> = ({ item, t, media, format, onCancel }) => {
  if (!media)
    return (
      <span class="text" translate="no">
        {item.file?.name}
      </span>
    );
  const props = { item, t, media, format };
  return item.file?.voice ? <Voice {...props} /> : <File {...props} cancel={onCancel} />;
};
