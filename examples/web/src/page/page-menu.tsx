import { type ReactNode, useState } from 'react'
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components'
import { Icon } from '../device/icon.tsx'
import { chooseLanguage, language, languages, t } from '../texts/texts.ts'
import { chooseLook, chosenLook, type Look } from './look.ts'

/** The language and the colours of the page. */
export function PageMenu(): ReactNode {
  const [look, setLook] = useState(chosenLook)
  const looks: readonly [Look, string][] = [
    ['system', t.page.asSystem],
    ['light', t.page.light],
    ['dark', t.page.dark],
  ]
  return (
    <MenuTrigger>
      <Button className="icon-button" aria-label={t.page.menu}>
        <Icon name="settings" />
      </Button>
      <Popover className="popover">
        <Menu className="menu" aria-label={t.page.menu}>
          {languages.length > 1 && (
            <MenuSection
              selectionMode="single"
              selectedKeys={[language.tag]}
              onSelectionChange={keys => {
                for (const key of keys) if (key !== language.tag) chooseLanguage(String(key))
              }}
            >
              <Header>{t.page.language}</Header>
              {languages.map(({ tag, name }) => (
                <MenuItem key={tag} id={tag} textValue={name}>
                  <bdi lang={tag}>{name}</bdi>
                </MenuItem>
              ))}
            </MenuSection>
          )}
          <MenuSection
            selectionMode="single"
            selectedKeys={[look]}
            onSelectionChange={keys => {
              for (const key of keys) {
                chooseLook(key as Look)
                setLook(key as Look)
              }
            }}
          >
            <Header>{t.page.look}</Header>
            {looks.map(([key, name]) => (
              <MenuItem key={key} id={key}>
                {name}
              </MenuItem>
            ))}
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
